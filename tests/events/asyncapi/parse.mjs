// Parses the document that argv[2] names, with the parser of the working directory; prints what it says of it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { Parser } = require("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const channels = document?.channels().all() ?? [];
console.log(
  JSON.stringify({
    faults: diagnostics
      .filter(({ code }) => code !== "asyncapi-latest-version") // 3.1 only adds a binding for ROS 2
      .map(({ code, message, path }) => `${path.join("/")}: ${message} (${code})`),
    addresses: channels.map((channel) => channel.address()),
    messages: channels.flatMap((channel) => channel.messages().all().map((message) => message.id())),
  }),
);
