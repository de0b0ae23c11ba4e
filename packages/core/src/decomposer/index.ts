export { PositionalReader, type PositionalValue, readPositional, writePositional } from "./positional.ts";
