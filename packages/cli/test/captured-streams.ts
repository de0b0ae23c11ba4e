/** Streams that keep what a command writes. */
export function capturedStreams() {
  const texts = { out: "", err: "" };
  const stream = (name: "out" | "err") => ({
    write(text: string) {
      texts[name] += text;
    },
  });
  return { texts, streams: { out: stream("out"), err: stream("err") } };
}
