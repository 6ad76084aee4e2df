/** Heap snapshots of a workerd that was started with `--inspector-addr`. */
import { setTimeout as delay } from 'node:timers/promises';

interface Target {
  id: string;
  webSocketDebuggerUrl: string;
}

interface Message {
  id?: number;
  method?: string;
  params?: { chunk?: string };
}

/** Every string of every isolate's heap, snapshot by snapshot. @param address host:port of the inspector */
export async function heapStrings(address: string): Promise<Map<string, string[]>> {
  const targets = await targetsOf(address);
  const found = new Map<string, string[]>();
  for (const { id, webSocketDebuggerUrl } of targets) {
    const snapshot = JSON.parse(await snapshotOf(webSocketDebuggerUrl)) as { strings: string[] };
    found.set(id, snapshot.strings);
  }
  return found;
}

/** The inspector opens its port a little after the service does. */
async function targetsOf(address: string): Promise<Target[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return (await (await fetch(`http://${address}/json`)).json()) as Target[];
    } catch (error) {
      if (attempt === 50) throw error;
      await delay(100);
    }
  }
}

function snapshotOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const chunks: string[] = [];
    const send = (id: number, method: string) => socket.send(JSON.stringify({ id, method }));
    socket.onerror = () => reject(new Error('the inspector broke off'));
    socket.onopen = () => {
      send(1, 'HeapProfiler.enable');
      // Collects garbage first: what is left is held by something.
      send(2, 'HeapProfiler.takeHeapSnapshot');
    };
    socket.onmessage = ({ data }) => {
      const { id, method, params } = JSON.parse(data as string) as Message;
      if (method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(params?.chunk ?? '');
      if (id !== 2) return;
      socket.close();
      resolve(chunks.join(''));
    };
  });
}
