/** The buffers that the host reads and writes; their addresses are exported. All other memory is the module's own. */
import { IN_BYTES, OUT_BYTES, RANDOM_BYTES } from './abi';

export const IN: usize = memory.data(IN_BYTES, 16);
export const OUT: usize = memory.data(OUT_BYTES, 16);
export const RANDOM: usize = memory.data(RANDOM_BYTES, 16);
