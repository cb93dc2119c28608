# SPDX-License-Identifier: GPL-2.0
# Prints the targets and variables of a makefile that carry a "## text", by section.
/^# --- / {
	section = $0
	gsub(/^# -+ | -+$/, "", section)
}
/^[a-z][a-z -]*:.*## / {
	name = $0
	sub(/:.*/, "", name)
	text = $0
	sub(/.*## /, "", text)
	if (section != "") {
		title = toupper(substr(section, 1, 1)) substr(section, 2)
		targets = targets title ":\n"
		section = ""
	}
	targets = targets sprintf("  %-20s %s\n", name, text)
}
/^[A-Z_]+ \?=.*## *= / {
	name = $1
	text = $0
	sub(/.*## *= /, "", text)
	value = $0
	sub(/^[A-Z_]+ \?= */, "", value)
	sub(/ *##.*/, "", value)
	variables = variables sprintf("  %-20s %s%s\n", name, text, value == "" ? "" : " (" value ")")
}
END {
	printf "%s\nVariables, given as make NAME=VALUE:\n%s", targets, variables
}
