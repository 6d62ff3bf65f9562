/** A Worker that does nothing, to know what workerd itself takes. */
export default {
  fetch: () => new Response("idle"),
};
