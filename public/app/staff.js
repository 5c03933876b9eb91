// @ts-check
/** The script of the index and the page of one pet for staff: as for visitors, with status buttons. */
import { startPets } from "./page/pets.js";
import { startSaving } from "./page/saving.js";

startPets({ save: startSaving });
