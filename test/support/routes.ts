/** The routes of a desk, as its router has them: a new one cannot be forgotten in a test. */
import type { Express } from "express";

export interface Route {
  readonly path: string;
  /** In capitals; `ALL` of a route that answers whatever is asked. */
  readonly method: string;
}

/** @throws {Error} where routes hide in a router of their own, or stand at no path that can be named */
export const routesOf = ({ router }: Express): Route[] =>
  router.stack.flatMap(({ route, handle, name }): Route[] => {
    if (route === undefined) {
      if ("stack" in handle) throw new Error(`${name} is a router within the router`);
      return [];
    }
    const { path } = route;
    if (typeof path !== "string") throw new Error(`a route without a path in letters: ${String(path)}`);
    // A route has a layer for each of its handlers.
    const methods = new Set(route.stack.map(({ method }) => method?.toUpperCase() ?? "ALL"));
    return [...methods].map((method) => ({ path, method }));
  });

/** Whether a route may change something: all but those that browsers may ask for by themselves. */
export const mayChange = ({ method }: Route): boolean => method !== "GET" && method !== "HEAD";
