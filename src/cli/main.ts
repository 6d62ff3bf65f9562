/**
 * The command `berth`: the first file of the program.
 *
 * @module
 */
import { runProgram } from "./program.ts";

runProgram();
