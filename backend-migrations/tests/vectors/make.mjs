// Makes vectors.json: values sealed by Node's crypto, as the backend services seal tenant passwords.
//
//     node make.mjs > vectors.json
//
// Keys and IVs come from a counter through SHA-256, so every run writes the same bytes. The code under `seal` is the
// usual Node form: the key is the 32 UTF-8 bytes of DB_ENCRYPTION_KEY, the text is UTF-8, both parts are hex.

import { createCipheriv, createHash } from 'node:crypto';

function seal(plain, key, iv) {
  const cipher = createCipheriv('aes-256-cbc', Buffer.from(key, 'utf8'), iv);
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return `${iv.toString('hex')}:${sealed.toString('hex')}`;
}

const sha256 = (text) => createHash('sha256').update(text).digest();

// 32 bytes each; the last two have fewer than 32 characters.
const keys = [
  ...[0, 1, 2].map((n) => sha256(`key ${n}`).toString('hex').slice(0, 32)),
  'your-32-character-secret-key!!!!',
  ' "quotes\' and \\slashes\\, #$% ',
  'Schlüssel für alle: äöü',
  'ключ-密鍵-🔑-0123456789-',
].map((key) => {
  const bytes = Buffer.byteLength(key, 'utf8');
  if (bytes > 32) throw new Error(`key of ${bytes} bytes: ${key}`);
  return key + '='.repeat(32 - bytes);
});

const lengths = [
  ...Array.from({ length: 34 }, (_, n) => 'abcdefghijklmnopqrstuvwxyz0123456789'.slice(0, n)),
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(65),
  '0123456789'.repeat(100),
];

const odd = [
  ' ',
  '  leading and trailing  ',
  'pass:word',
  '::',
  'p@ss/w?rd#&%20+=',
  `single ' and double " and back \` quotes`,
  'back\\slash \\n \\0 \\',
  'line\nfeed',
  'carriage\r\nreturn',
  'tab\tand nul \0 inside',
  '\u001b[31mescape\u001b[0m',
  'naïve café',
  'Пароль',
  '密码密码密码密码',
  'كلمة السر',
  '🔐',
  '🚀🚀🚀🚀',
  '👩‍👩‍👧‍👦 family',
  'é as e and U+0301: e\u0301',
  '\ufeffbyte order mark',
  '\u2028line separator',
  'ü'.repeat(8),
  'ü'.repeat(500),
  "'; DROP TABLE tenants; -- ",
  '$(reboot) `reboot` ${HOME}',
  'NULL',
  'correct horse battery staple',
];

const plains = [...lengths, ...odd];
const vectors = plains.map((plain, n) => {
  const key = keys[n % keys.length];
  const iv = sha256(`iv ${n}`).subarray(0, 16);
  return { key, plain, sealed: seal(plain, key, iv) };
});

// The empty password and one whole block under every key, whatever the turn above gave them.
keys.forEach((key, n) => {
  for (const plain of ['', '0123456789abcdef']) {
    const iv = sha256(`iv of key ${n}: ${plain}`).subarray(0, 16);
    vectors.push({ key, plain, sealed: seal(plain, key, iv) });
  }
});

process.stdout.write(`[\n${vectors.map((v) => `  ${JSON.stringify(v)}`).join(',\n')}\n]\n`);
