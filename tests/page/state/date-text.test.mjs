// @ts-check
/** Dates of a pet are read in the words of the server (`src/model/profile/date.rs`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dateText } from "../../../public/app/state/date-text.js";

test("a date is shown as far as it is known, and another text stays as it is", () => {
  for (const [value, shown] of [
    ["2024-05-03", "3 May 2024"],
    ["2024-12", "December 2024"],
    ["1999", "1999"],
    ["about 2024", "about 2024"],
    ["about 2024-05", "about May 2024"],
    ["", ""],
    ["spring", "spring"],
  ]) {
    assert.equal(dateText(value), shown);
  }
});
