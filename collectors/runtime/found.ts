/** One line of what a device has that could be collected: names and values, in the order they are shown. */
export type Found = Readonly<Record<string, string | number | boolean | null>>;
