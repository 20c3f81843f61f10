/**
 * The few globals that pure layers may use besides the language, for tsconfig.pure.json alone.
 *
 * That project knows neither Node's types nor the browser's, so that a clock, a timer, the network
 * or the process is a compile error in a pure layer.
 *
 * @module
 */
declare class TextEncoder {
  encode(text?: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare function atob(text: string): string;
declare function btoa(text: string): string;
// biome-ignore lint/style/useConsistentTypeDefinitions: only an interface adds to a global one
interface ErrorConstructor {
  /** V8: frames that a new error records. */
  stackTraceLimit: number;
}
