// @ts-check
/** The second script of the board for staff: selects pets whose status is set together. The page works without it. */
import { Selection } from "./view/board/selection.js";

new Selection(document).start();
