/** Tries in earnest to send something to where the page came from; a locked page cannot. */
import type { Attempt } from "./messages.ts";

/** Tries all ways that there are in this place, a page or a worker. */
export async function tryToSend(url: string, from: string): Promise<Attempt[]> {
  const ways: Record<string, () => Promise<unknown>> = {
    "fetch": () => fetch(url, { method: "POST", body: "a sentence", mode: "no-cors" }),
    "WebSocket": () =>
      new Promise((open, refused) => {
        const socket = new WebSocket(url.replace(/^http/, "ws"));
        socket.onopen = open;
        socket.onerror = refused;
      }),
    "a script": () => import(/* @vite-ignore */ `${url}?a-sentence`),
    ...("document" in globalThis
      ? {
        "an image": () =>
          new Promise((loaded, refused) => {
            const image = new Image();
            image.onload = loaded;
            image.onerror = refused;
            image.src = `${url}?a-sentence`;
          }),
        "sendBeacon": () =>
          new Promise<void>((sent, refused) => {
            // The call says that it is queued even where it is refused; the refusal is an event.
            addEventListener("securitypolicyviolation", refused, { once: true });
            navigator.sendBeacon(url, "a sentence");
            setTimeout(sent, 500);
          }),
      }
      : {}),
  };
  const attempts: Attempt[] = [];
  for (const [way, send] of Object.entries(ways)) {
    const refused = await send().then(() => false, () => true);
    attempts.push({ way: `${way} from ${from}`, refused });
  }
  return attempts;
}
