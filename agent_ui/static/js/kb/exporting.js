// Taking every article out as a file.
//
// In: a kind of file. Out: the file, in the browser's downloads. Not known here: what it holds.

import { h } from "../dom.js";
import { reasonOf, whileWorking } from "./parts.js";
import { fetchExport } from "./server.js";

export function downloadExport(kind, from, t, news) {
  return whileWorking(
    from,
    async () => {
      const address = URL.createObjectURL(await fetchExport(kind));
      const link = h("a", {
        href: address,
        download: `zhiting-${new Date().toISOString().slice(0, 10)}.${kind}`,
      });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      news.tell(t("export.done"));
    },
    (error) => news.tell(reasonOf(error, t), { level: "bad" }),
  );
}
