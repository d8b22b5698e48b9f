// What every page of the dashboard has: its keys, and the command palette.

import "./commands/palette.js";
import "./keys/find.js";
import "./keys/menus.js";
import "./keys/regions.js";
import "./keys/help.js";
import "./zone.js";
