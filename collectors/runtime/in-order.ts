/** Receipts of one source's parcels, taken note of in the source's order whatever order they come in. */
export class InOrder<Mark> {
  readonly #record: (marks: readonly Mark[]) => void;
  readonly #expected: { readonly mark: Mark; stored: boolean }[] = [];

  /** @param record - called with the marks up to which everything is stored, oldest first. */
  constructor(record: (marks: readonly Mark[]) => void) {
    this.#record = record;
  }

  /** Parcels handed on and not yet stored, or stored behind one that is not. */
  get open(): number {
    return this.#expected.length;
  }

  /** @returns what to call when the parcel that ends with `mark` is stored. */
  expect(mark: Mark): () => void {
    const parcel = { mark, stored: false };
    this.#expected.push(parcel);
    return () => {
      parcel.stored = true;
      const marks: Mark[] = [];
      while (this.#expected[0]?.stored) marks.push(this.#expected.shift()!.mark);
      if (marks.length > 0) this.#record(marks);
    };
  }
}
