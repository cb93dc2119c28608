// SPDX-License-Identifier: GPL-2.0
// Validate a profile against a JSON schema:
//
//     node validate.mjs AJV-FOLDER SCHEMA FILE [--metadata]
//
// With --metadata SCHEMA is that of our metadata: of the "perfconv" object at the
// top of the file and, as its definition "profile", of the one in each profile.
// Exit status 0: valid; 1: not, and standard output says where.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [ajvFolder, schemaPath, filePath, mode] = process.argv.slice(2);
const Ajv = createRequire(join(resolve(ajvFolder), "package.json"))("ajv").default;

const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema(JSON.parse(readFileSync(schemaPath, "utf8")), "schema");
const file = JSON.parse(readFileSync(filePath, "utf8"));

// What is checked: where it stands in the file, the value, the part of the schema.
let parts = [["", file, "schema"]];
if (mode === "--metadata") {
  parts = file.profiles.map((profile, i) =>
    [`/profiles/${i}/perfconv`, profile.perfconv, "schema#/definitions/profile"]);
  parts.unshift(["/perfconv", file.perfconv, "schema"]);
}

let valid = true;
for (const [where, value, part] of parts) {
  const validate = ajv.getSchema(part);
  if (validate(value)) continue;
  valid = false;
  for (const error of validate.errors.slice(0, 10)) {
    console.log(`${where}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
  }
}
process.exit(valid ? 0 : 1);
