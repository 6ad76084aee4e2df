import type { WriterKey } from '../../db/parcels.ts';

/** Name of the Durable Object that writes for a node. */
export function writerName({ node, city }: Pick<WriterKey, 'node' | 'city'>): string {
  return `${node}/${city}`;
}
