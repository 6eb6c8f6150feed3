export { readRefusal, writeRefusal } from "../proto/files.ts";
