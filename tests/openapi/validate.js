// Holds a document to the OpenAPI 3.1 meta-schema: prints {version, valid} and what is wrong with it.
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";

const validator = new Validator();
const { valid, errors } = await validator.validate(JSON.parse(readFileSync(process.argv[2], "utf8")));
console.log(JSON.stringify({ version: validator.version, valid, errors }));
