// json-schema-faker. Run: node json_schema_faker.mjs NODE_MODULES SCHEMA SECONDS SAMPLE KEEP
import { readFileSync, writeFileSync } from "node:fs";

const [modules, schemaFile, seconds, sample, keep] = process.argv.slice(2);
const { createGeneratorSync } = await import(`${modules}/json-schema-faker/dist/index.js`);
const schema = JSON.parse(readFileSync(schemaFile, "utf8"));
const generator = createGeneratorSync({ seed: 1, alwaysFakeOptionals: true });

const stored = [];
for (let warm = 0; warm < 10; warm++) stored.push(JSON.stringify(generator.generate(schema)));
let count = 0;
const begin = performance.now();
const usedBefore = process.cpuUsage();
while (performance.now() - begin < seconds * 1000) {
  for (let few = 0; few < 10; few++, count++) {
    const line = JSON.stringify(generator.generate(schema));
    if (stored.length < keep) stored.push(line);
  }
}
const used = process.cpuUsage(usedBefore);
writeFileSync(sample, stored.map((line) => line + "\n").join(""));
console.log(JSON.stringify({ count, seconds: (used.user + used.system) / 1e6 }));
