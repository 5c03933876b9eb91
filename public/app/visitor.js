// @ts-check
/** The script of the index and the page of one pet, as visitors see them. */
import { startPets } from "./page/pets.js";

startPets();
