// Opens what is sealed elsewhere, as the backend services do: a JSON array of {key, sealed} on stdin, a JSON array of the
// plain texts on stdout.

import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';

function open(sealed, key) {
  const [iv, ciphertext] = sealed.split(':').map((part) => Buffer.from(part, 'hex'));
  const decipher = createDecipheriv('aes-256-cbc', Buffer.from(key, 'utf8'), iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}

const values = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(values.map(({ key, sealed }) => open(sealed, key))));
