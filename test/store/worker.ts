/** Entry of the worker that the store tests run in. */
export { Writer } from '../../worker/src/writer.ts';

export default {
  fetch: () => new Response(null, { status: 404 }),
};
