/** Who may sign in to the console: `user add`, `user role`, `user remove`, `user list`. */

import { Command } from "commander";
import { renderUnicodeCompact } from "uqr";
import { askPassword } from "../../core/ask-password.ts";
import { print, tell } from "../../core/terminal.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";

const config = "--config bank/coordinator.yaml";
const roles = "operator, officer (credit officer) or auditor (reads only)";

export const userCommand = (): Command =>
  new Command("user")
    .description("who may sign in to the console, in which role")
    .addHelpText(
      "after",
      `\nThe console is served where coordinator.yaml says so under console.\n\nExample:\n  fedcredit coordinator user add maria --role officer ${config}`,
    )
    .addCommand(addCommand())
    .addCommand(roleCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand());

const addCommand = (): Command =>
  operatorCommand(
    "add",
    "add somebody; the password is asked for, or read from standard input",
    `user add maria --role officer ${config}`,
  )
    .argument("<user>", "its name: lowercase letters, digits and hyphens")
    .requiredOption("--role <role>", roles)
    .action(async (user: string, flags: OperatorFlags & { role: string }) => {
      const password = await askPassword(`password for ${user}: `);
      await asOperator(flags, async (operator) => {
        const address = await operator.addUser(user, flags.role, password);
        if (flags.json) return print(JSON.stringify({ user, role: flags.role, address }));
        print(`${user}: ${flags.role}`);
        print(address);
        if (process.stderr.isTTY) tell(renderUnicodeCompact(address));
        tell("shown this once: let the user read it with an authenticator's app, which makes its codes");
      });
    });

const roleCommand = (): Command =>
  operatorCommand(
    "role",
    "give a user another role; its sessions end at once",
    `user role maria operator ${config}`,
  )
    .argument("<user>", "its name")
    .argument("<role>", roles)
    .action((user: string, role: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        await operator.changeRole(user, role);
        print(flags.json ? JSON.stringify({ user, role }) : `${user}: ${role}`);
      }),
    );

const removeCommand = (): Command =>
  operatorCommand("remove", "remove a user; its sessions end at once", `user remove maria ${config}`)
    .argument("<user>", "its name")
    .action((user: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        await operator.removeUser(user);
        print(flags.json ? JSON.stringify({ user }) : `${user}: removed`);
      }),
    );

const listCommand = (): Command =>
  operatorCommand("list", "users and their roles", `user list ${config}`).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const all = await operator.users();
      if (flags.json) print(JSON.stringify(all));
      else for (const { user, role } of all) print(`${user}: ${role}`);
    }),
  );
