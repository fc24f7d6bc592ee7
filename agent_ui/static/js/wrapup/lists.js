// What the form offers to choose from: departments, districts, categories. Read once, when the form is first used.
//
// In: nothing. Out: lists, as far as they can be read. Not known here: the form.

import { ApiError, getJson } from "../api.js";

let units = null;

/** @returns {Promise<Array<{unit_id, name, kind, parent_id}>>} raises `ApiError` */
export async function readUnits() {
  units ??= await getJson("v1/departments");
  return units;
}

/** Words to be suggested in fields that take any word; none where they cannot be read. */
export async function readWords() {
  const [districts, categories] = await Promise.all([
    orNone(readUnits().then((all) => all.filter((unit) => unit.kind === "区县").map((unit) => unit.name))),
    orNone(getJson("v1/kb/survey").then((seen) => seen.categories.map(({ word }) => word))),
  ]);
  return { districts, categories };
}

async function orNone(reading) {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return [];
  }
}
