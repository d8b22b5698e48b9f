"""APIs that accounts have added by their descriptions: adding, renewing, choosing actions, deleting."""
