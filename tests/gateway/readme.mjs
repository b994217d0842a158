// What the READMEs tell people to send is valid against schema.graphql: `node readme.mjs`.
import { readFileSync } from 'node:fs';
import { buildASTSchema, parse, validate, specifiedRules, NoUnusedFragmentsRule } from 'graphql';

const root = new URL('../../', import.meta.url);
const text = (path) => readFileSync(new URL(path, root), 'utf8');
const schema = buildASTSchema(parse(text('schema.graphql')), { assumeValidSDL: true });
const rules = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule);
let documents = 0;
let wrong = 0;
for (const path of ['README.md', 'examples/typescript-client/README.md', 'SECURITY.md']) {
  for (const [, document] of text(path).matchAll(/^```graphql\n(.*?)^```/gms)) {
    documents += 1;
    for (const error of validate(schema, parse(document), rules)) {
      wrong += 1;
      console.error(`${path}: ${error}`);
    }
  }
}
if (documents === 0) throw new Error('no document was found');
console.log(`readme: ${documents} documents, ${wrong} errors`);
process.exitCode = wrong === 0 ? 0 : 1;
