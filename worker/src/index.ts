import { createApp } from './app.ts';
import { dependencies } from './deps.ts';

export { IndexFiller } from './index-filler.ts';
export { Writer } from './writer.ts';
export default createApp(dependencies);
