/** Entry of the worker that the store tests run in. */
export { IndexFiller } from '../../worker/src/index-filler.ts';
export { Writer } from '../../worker/src/writer.ts';

export default {
  fetch: () => new Response(null, { status: 404 }),
};
