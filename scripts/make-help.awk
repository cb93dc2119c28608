# SPDX-License-Identifier: GPL-2.0
# Prints the targets and variables of a makefile that carry a "## text".
/^[a-z][a-z -]*:.*## / {
	name = $0
	sub(/:.*/, "", name)
	text = $0
	sub(/.*## /, "", text)
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
	printf "Targets:\n%s\nVariables, given as make NAME=VALUE:\n%s", targets, variables
}
