/**
 * Resolves in a later task of the event loop, so after everything that is queued as a microtask has run, however
 * long the chains of promises are. It waits for no time and for no input or output.
 */
export function afterMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener(
      "message",
      () => {
        port1.close(); // an open port would keep a Node process alive
        resolve();
      },
      { once: true },
    );
    port1.start();
    port2.postMessage(null);
  });
}
