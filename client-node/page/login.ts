import { type Html, html } from "../../core/pages/html.ts";
import type { LoginOutcome } from "./access.ts";

/** The only page shown to somebody who is not logged in. */
export const loginPage = (enterprise: string, problem?: Exclude<LoginOutcome, { cookie: string }>): Html =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in · ${enterprise}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
</head>
<body>
<main>
<h1>${enterprise}</h1>
<form method="post" action="/login">
${problem !== undefined && html`<p class="alarm" role="alert">${problem === "wrong" ? "That is not the password." : "Too many tries from here: wait, the longer the more there were."}</p>`}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>
</main>
</body>
</html>
`;
