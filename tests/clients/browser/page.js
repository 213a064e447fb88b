// The page around the example client: it imports the file that was picked, and shows each state.

import { countAccounts, importPicked } from "../../../examples/clients/typescript/src/browser.ts";

const states = document.querySelector("#states");

function show(state) {
  const item = document.createElement("li");
  item.textContent = state;
  states.append(item);
}

async function importFile({ url, token, currency }) {
  const [file] = document.querySelector("#file").files;
  const { rows, sum } = await importPicked(url, token, file, currency, show);
  return { rows, sum: String(sum) };
}

globalThis.djinn = { countAccounts: ({ url, token }) => countAccounts(url, token), importFile };
