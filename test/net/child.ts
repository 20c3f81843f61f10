/**
 * A host in a process of its own: prints its address, echoes votes, ends when its input ends.
 *
 * @module
 */
import { CHANNEL } from '../../node/src/types/messages.ts';
import { startHost } from './support.ts';

const child = await startHost('child', {
  ...(process.argv[2] === undefined ? {} : { listen: process.argv[2] }),
});
child.onArrival = ({ peer, channel, message }) => {
  if (channel === CHANNEL.vote) child.host.send(peer, CHANNEL.vote, message);
};
process.stdout.write(`${child.address()}\n`);
process.stdin.resume();
process.stdin.on('end', () => {
  void child.host.stop();
});
