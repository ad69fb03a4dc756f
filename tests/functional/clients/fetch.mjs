// Node's own fetch.
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Writable } from "node:stream";

const [operation, url, folder] = process.argv.slice(2);

async function call(options = {}) {
  const response = await fetch(url, options);
  const answer = createWriteStream(`${folder}/answer`);
  await response.body.pipeTo(Writable.toWeb(answer));
  console.log(response.status);
}

switch (operation) {
  case "get":
  case "download":
    await call();
    break;
  case "post":
    await call({
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: await readFile(`${folder}/content.json`, "utf8"),
    });
    break;
  case "upload": {
    const form = new FormData();
    form.append("file", new Blob([await readFile(`${folder}/upload.bin`)]), "upload.bin");
    await call({ method: "POST", body: form });
    break;
  }
  case "keepalive":
    for (let turn = 0; turn < 3; turn++) await call();
    break;
  default:
    process.exit(2);
}
