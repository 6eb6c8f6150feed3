/** A topic pattern of the configuration, ready to subscribe to and to match. */
export interface TopicPattern {
  /** The filter for the broker: placeholders become `+`. */
  readonly filter: string;
  /** @returns what the placeholders stand for in `topic`, or undefined if it does not match. */
  match(topic: string): { readonly device?: string; readonly metric?: string } | undefined;
}

/** Compiles `plant/{device}/+/{metric}`; `#` at the end takes any rest, also none. */
export function topicPattern(pattern: string): TopicPattern {
  const levels = pattern.split("/");
  const open = levels.at(-1) === "#";
  const fixed = open ? levels.slice(0, -1) : levels;
  return {
    filter: levels.map((level) => (level === "{device}" || level === "{metric}" ? "+" : level)).join("/"),
    match(topic) {
      const actual = topic.split("/");
      if (open ? actual.length < fixed.length : actual.length !== fixed.length) return undefined;
      const found: { device?: string; metric?: string } = {};
      for (const [i, level] of fixed.entries()) {
        const text = actual[i]!;
        if (level === "{device}") found.device = text;
        else if (level === "{metric}") found.metric = text;
        else if (level !== "+" && level !== text) return undefined;
      }
      return found;
    },
  };
}
