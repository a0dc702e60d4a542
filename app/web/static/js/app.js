// Loaded on every page: theme switch, shortcuts, dialogs, copy buttons, closing notices. Pages work without it.
import { startKeys } from "./keys.js";
import { startTheme } from "./theme.js";
import { startDialogs } from "./dialogs.js";
import { startCopy } from "./copy.js";
import { startTimes } from "./times.js";
import { startMeanwhile } from "./meanwhile.js";
import { startMarks } from "./marks.js";
import { startPalette } from "./palette.js";
import { startToasts, startWorking } from "./toasts.js";

startTheme();
startKeys();
startDialogs();
startCopy();
startTimes();
startMarks();
startMeanwhile();
startPalette();
startToasts();
startWorking();
