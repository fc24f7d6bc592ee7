// Taking every article out as a file.
//
// In: a kind of file. Out: the file, in the browser's downloads. Not known here: what it holds.

import { saveFile } from "../dom.js";
import { reasonOf, whileWorking } from "../parts.js";
import { fetchExport } from "./server.js";

export function downloadExport(kind, from, t, news) {
  return whileWorking(
    from,
    async () => {
      saveFile(await fetchExport(kind), `zhiting-${new Date().toISOString().slice(0, 10)}.${kind}`);
      news.tell(t("export.done"));
    },
    (error) => news.tell(reasonOf(error, t), { level: "bad" }),
  );
}
