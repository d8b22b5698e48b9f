// The builder's page: sends its forms as edits, one after another, and shows the parts of the page that come back.
// Without scripts the same forms are posted and the page is loaded again.

import "./asked-values.js";
import "./autosave.js";
import "./branches.js";
import "./clipboard.js";
import "./code-fields.js";
import "./connection-dialog.js";
import "./data-picker.js";
import "./data-search.js";
import "./dragging.js";
import "./expression-fields.js";
import "./expression-preview.js";
import "./fields.js";
import "./find.js";
import "./folding.js";
import "./forms.js";
import "./keyboard.js";
import "./menus.js";
import "./navigation.js";
import "./outline.js";
import "./palette.js";
import "./time-zones.js";
import "./panel-width.js";
import "./requests.js";
import "./selection.js";
import "./run.js";
import "./runs.js";
import "../lazy.js";
