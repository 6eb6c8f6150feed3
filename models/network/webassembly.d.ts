/** What we use of the WebAssembly JavaScript interface: Node's types leave it to a browser's. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: { js: { memory: Memory } });
    readonly exports: Record<string, unknown>;
  }
}
