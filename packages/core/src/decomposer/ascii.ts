/** Longest string that is read and written character by character: beyond it, the platform's codec is faster. */
const SHORT_LENGTH = 64;

/** The string of `bytes` from `start` to before `end`; `undefined` when it is long or has other characters than ASCII. */
export function readShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > SHORT_LENGTH) return undefined;
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0x80;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** True when all bytes from `start` to before `end` are ASCII. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if ((bytes[index] ?? 0x80) >= 0x80) return false;
  }
  return true;
}

/** True for a short string of ASCII, whose length in bytes is that in characters. */
export function isShortAscii(text: string): boolean {
  if (text.length > SHORT_LENGTH) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}
