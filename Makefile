# SPDX-License-Identifier: GPL-2.0
#
# One makefile for the suite; `make help` lists its targets and variables.
#
# Every suite of tests ends with the line "N passed, N failed, N skipped", or
# with cmocka's closing lines; tests/check.py runs the suites and adds up.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:

O ?= build##                 = folder of all build products
SAN ?=##                     = sanitizers to build with, as in SAN=address,undefined
DEBUG ?=##                   = 1: build without optimisation
WERROR ?=##                  = 1: a warning is an error
V ?=##                       = 1: show the commands
LIBPERF_DIR ?= $(O)/libperf##= prefix of a libperf 5.10 or newer; empty: the system's, by pkg-config
PREFIX ?= /usr/local##       = where install puts things, below DESTDIR
SCENARIO ?= idle-no-leaffc## = scenario that demo records
DURATION ?= 30##             = seconds that demo records
TIME ?= 60##                 = seconds that fuzz spends on each of its targets
PYTHONS ?= /usr/bin/python3.11## = interpreters to make wheels for

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
PKG_CONFIG ?= pkg-config
PYTHON ?= python3
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14) clang-format)
CLANG_TIDY ?= clang-tidy
JOBS ?= $(or $(shell nproc 2>/dev/null),2)

Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-7s %s\n' '$1' '$2')

# --- sources ----------------------------------------------------------------

# In the picture's order: a layer may include only what stands before it.
LAYERS := base perfdata sidefile machine bundle unwind store symbol resolve profile analyze \
	  output pipeline doctor view cmd

LIB_SRC := $(sort $(foreach layer,$(LAYERS),$(wildcard perfconv/$(layer)/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/obj/%.o)
MAIN_OBJ := $(O)/obj/perfconv/main.o
ARCHIVE := $(O)/libperfconv.a

# Each tests/unit/test_*.c is a program; what else lies there is linked with all.
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(O)/unit/%)
UNIT_OBJ := $(UNIT_SRC:%.c=$(O)/obj/%.o)
UNIT_HELP_SRC := $(sort $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))
UNIT_HELP_OBJ := $(UNIT_HELP_SRC:%.c=$(O)/obj/%.o)

# Each tests/fuzz/target_*.c is fuzzed, and replays what fuzzing left behind.
FUZZ_TARGETS := $(patsubst tests/fuzz/target_%.c,%,$(sort $(wildcard tests/fuzz/target_*.c)))
FUZZ_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard tests/fuzz/*.c)))
REPLAY_BIN := $(FUZZ_TARGETS:%=$(O)/fuzz/replay_%)
FUZZ_BIN := $(FUZZ_TARGETS:%=$(O)/fuzz/fuzz_%)

# A plugin for perf script; needs perf's own header, which comes with perf.
PERF_DLFILTER_H := /usr/include/perf/perf_dlfilter.h
DLFILTER := $(O)/perfconv-speedscope.so
DLFILTER_BUILT := $(if $(wildcard $(PERF_DLFILTER_H)),$(DLFILTER))
DLFILTER_SRC := $(sort $(wildcard dlfilter/*.c))
DLFILTER_OBJ := $(DLFILTER_SRC:%.c=$(O)/obj/%.o)

ALL_OBJ := $(LIB_OBJ) $(MAIN_OBJ) $(DLFILTER_OBJ) $(UNIT_OBJ) $(UNIT_HELP_OBJ) $(FUZZ_OBJ)

C_FILES = $(sort $(shell find perfconv dlfilter pyframes contrib tests -name '*.[ch]' \
	-not -path '*/build/*' -not -path '*/node_modules/*'))
SHELL_FILES = $(sort $(shell grep -rlIE '^\#!.*[/ ](ba|da)?sh( |$$)' .ci scripts contrib tests))

# --- dependencies -----------------------------------------------------------

PACKAGES := libdw libelf liblzma libtraceevent libzstd zlib jansson

# The value of variable $1 is $2, asked for when a recipe first needs it: help,
# clean and setup run where there is no pkg-config yet.
once = $(eval $1 := $2)$($1)
as_system = $(patsubst -I%,-isystem%,$1)
PKG_CFLAGS = $(call once,PKG_CFLAGS,$(call as_system,$(shell $(PKG_CONFIG) --cflags $(PACKAGES))))
PKG_LIBS = $(call once,PKG_LIBS,$(shell $(PKG_CONFIG) --libs $(PACKAGES)))
CMOCKA_CFLAGS = $(call once,CMOCKA_CFLAGS,$(call as_system,$(shell $(PKG_CONFIG) --cflags cmocka)))
CMOCKA_LIBS = $(call once,CMOCKA_LIBS,$(shell $(PKG_CONFIG) --libs cmocka))

# Without it, perfconv view says that it cannot serve.
MICROHTTPD_CFLAGS = $(call once,MICROHTTPD_CFLAGS,$(shell $(PKG_CONFIG) --exists libmicrohttpd && \
	echo -DHAVE_MICROHTTPD $(call as_system,$(shell $(PKG_CONFIG) --cflags libmicrohttpd))))
MICROHTTPD_LIBS = $(call once,MICROHTTPD_LIBS,$(shell $(PKG_CONFIG) --exists libmicrohttpd && \
	$(PKG_CONFIG) --libs libmicrohttpd))

OWN_LIBPERF := $(O)/libperf/lib/libperf.a
ifeq ($(LIBPERF_DIR),)
LIBPERF_CFLAGS = $(call once,LIBPERF_CFLAGS,$(call as_system,$(shell $(PKG_CONFIG) --cflags libperf)))
LIBPERF_LIBS = $(call once,LIBPERF_LIBS,$(shell $(PKG_CONFIG) --libs libperf))
LIBPERF_BUILT :=
else
LIBPERF_CFLAGS := -isystem$(LIBPERF_DIR)/include
LIBPERF_LIBS := -L$(LIBPERF_DIR)/lib -L$(LIBPERF_DIR)/lib64 -lperf
LIBPERF_BUILT := $(if $(filter $(O)/libperf,$(LIBPERF_DIR)),$(OWN_LIBPERF))
LIBPERF_LIBS += $(if $(LIBPERF_BUILT)$(wildcard $(LIBPERF_DIR)/lib/libapi.a),-lapi)
endif

# --- flags ------------------------------------------------------------------

CFLAGS ?= $(if $(DEBUG),-O0 -g3,-O2 -g)
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	    $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fPIC -fvisibility=hidden $(if $(SAN)$(DEBUG),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -iquote . \
	     $(LIBPERF_CFLAGS) $(PKG_CFLAGS) $(MICROHTTPD_CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) \
	     $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(CFLAGS) $(LDFLAGS)
ALL_LIBS = $(LIBPERF_LIBS) $(PKG_LIBS) $(MICROHTTPD_LIBS) -liberty -lm $(LDLIBS)

# --- building ---------------------------------------------------------------

.PHONY: all perfconv libperf build-tests
all: perfconv ## build perfconv
perfconv: $(O)/perfconv
libperf: $(LIBPERF_BUILT) ## build libperf from Debian's kernel source package
build-tests: $(UNIT_BIN)

$(O)/perfconv: $(MAIN_OBJ) $(ARCHIVE)
	@$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(MAIN_OBJ) $(ARCHIVE) $(ALL_LIBS)

.PHONY: dlfilter
dlfilter: $(DLFILTER) ## build the plugin for perf script
$(DLFILTER): $(DLFILTER_OBJ) $(ARCHIVE) dlfilter/exports.map
	@$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -Wl,--version-script=dlfilter/exports.map \
		-o $@ $(DLFILTER_OBJ) $(ARCHIVE) $(ALL_LIBS)

$(ARCHIVE): $(LIB_OBJ)
	@$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

$(UNIT_BIN): $(O)/unit/%: $(O)/obj/tests/unit/%.o $(UNIT_HELP_OBJ) $(ARCHIVE)
	@mkdir -p $(@D)
	@$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(UNIT_HELP_OBJ) $(ARCHIVE) $(ALL_LIBS) $(CMOCKA_LIBS)

# Its inputs do not see the machine's files.
$(O)/fuzz/replay_capture $(O)/fuzz/fuzz_capture: private WRAP = -Wl,--wrap=open,--wrap=open64

$(REPLAY_BIN): $(O)/fuzz/replay_%: $(O)/obj/tests/fuzz/target_%.o $(O)/obj/tests/fuzz/target.o \
		$(O)/obj/tests/fuzz/replay.o $(ARCHIVE)
	@mkdir -p $(@D)
	@$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^ $(ALL_LIBS)

$(FUZZ_BIN): $(O)/fuzz/fuzz_%: $(O)/obj/tests/fuzz/target_%.o $(O)/obj/tests/fuzz/target.o $(ARCHIVE)
	@mkdir -p $(@D)
	@$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(WRAP) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS)

$(UNIT_OBJ) $(UNIT_HELP_OBJ): EXTRA_CFLAGS = $(CMOCKA_CFLAGS)
$(UNIT_OBJ) $(UNIT_HELP_OBJ): | $(O)/found-cmocka

$(ALL_OBJ): $(O)/obj/%.o: %.c $(O)/flags | $(O)/found-libraries $(LIBPERF_BUILT)
	@mkdir -p $(@D)
	@$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

-include $(ALL_OBJ:.o=.d)

$(OWN_LIBPERF): scripts/build-libperf.sh | $(O)/found-libraries
	@$(call say,LIBPERF,$(O)/libperf)
	$(Q)scripts/build-libperf.sh $(O)/libperf

# These stand for: the compiler and these libraries were found.
$(O)/found-libraries: WANTED := $(PACKAGES)
$(O)/found-cmocka: WANTED := cmocka
$(O)/found-libraries $(O)/found-cmocka: scripts/find-dependencies.sh
	@mkdir -p $(@D)
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' LIBPERF_DIR='$(LIBPERF_DIR)' \
		scripts/find-dependencies.sh $(WANTED)
	@touch $@

# Changes when the compiler or its flags do.
$(O)/flags: FORCE | $(O)/found-libraries
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

.PHONY: FORCE
FORCE:

.PHONY: clean format setup
clean: ## remove the build products, not libperf nor what was downloaded
	$(Q)rm -rf $(O)/obj $(O)/unit $(O)/fuzz $(O)/fuzzing $(O)/san $(O)/lint $(O)/man $(O)/perfconv \
		$(ARCHIVE) $(DLFILTER) $(O)/wheels \
		$(O)/flags $(O)/found-libraries $(O)/found-cmocka

format: ## format all C sources with clang-format 14
	$(Q)$(CLANG_FORMAT) -i $(C_FILES)

setup: ## install the Debian packages that building, testing and the demo need
	$(Q)scripts/setup-debian.sh build test demo

# --- installing and packages ------------------------------------------------

.PHONY: man wheels install install-wheels uninstall dist deb
man: $(O)/man/perfconv.1 ## manual pages, from what --help says

$(O)/man/perfconv.1: $(O)/perfconv scripts/make-man.py scripts/perf-pyrecord \
		$(wildcard docs/man/*.man scripts/pam_profiling/*.py)
	@$(call say,MAN,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(PYTHON) scripts/make-man.py $(O)/perfconv $(@D)

# Where install puts things; perf-pyrecord finds its modules beside its own file.
BIN := $(DESTDIR)$(PREFIX)/bin
PRIVATE := $(DESTDIR)$(PREFIX)/lib/perfconv
SHARED := $(DESTDIR)$(PREFIX)/share/perfconv
SPEEDSCOPE := $(O)/node/node_modules/speedscope/dist/release
MAN1 := $(DESTDIR)$(PREFIX)/share/man/man1
BASH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_FUNCTIONS := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
COMPLETED := perfconv perf-speedscope perf-pyrecord

install: $(O)/perfconv man $(DLFILTER_BUILT) ## install programs, manual pages and completion below PREFIX
	$(Q)install -d '$(BIN)' '$(PRIVATE)/pam_profiling' '$(MAN1)' '$(BASH_COMPLETIONS)' \
		'$(ZSH_FUNCTIONS)'
	$(Q)install -m 755 $(O)/perfconv contrib/perf-speedscope '$(BIN)'
	$(Q)install -m 755 scripts/perf-pyrecord '$(PRIVATE)'
	$(Q)install -m 644 scripts/pam_profiling/*.py '$(PRIVATE)/pam_profiling'
	$(Q)$(if $(DLFILTER_BUILT),install -m 644 $(DLFILTER_BUILT) '$(PRIVATE)')
	$(Q)ln -sf ../lib/perfconv/perf-pyrecord '$(BIN)/perf-pyrecord'
	$(Q)install -m 644 $(O)/man/*.1 '$(MAN1)'
	$(Q)install -m 644 contrib/completion/perfconv.bash '$(BASH_COMPLETIONS)/perfconv'
	$(Q)for name in $(filter-out perfconv,$(COMPLETED)); do \
		ln -sf perfconv "$(BASH_COMPLETIONS)/$$name"; done
	$(Q)install -m 644 contrib/completion/_perfconv '$(ZSH_FUNCTIONS)'
	$(Q)if test -d $(SPEEDSCOPE); then install -d '$(SHARED)/speedscope' && \
		install -m 644 $(SPEEDSCOPE)/* '$(SHARED)/speedscope'; fi

# Python's headers of one architecture serve for all, so a cross compiler is enough.
wheels: ## wheels of pyframes for x86_64 and aarch64, in build/wheels; PYTHONS names interpreters
	$(Q)rm -f $(O)/wheels/*.whl
	$(Q)$(PYTHON) scripts/build-wheels.py --output $(O)/wheels $(PYTHONS)

install-wheels: ## put the wheels that are built below PREFIX, too
	$(Q)install -d '$(SHARED)/wheels'
	$(Q)install -m 644 $(O)/wheels/*.whl '$(SHARED)/wheels'

uninstall: ## remove what install put below PREFIX
	$(Q)rm -rf '$(PRIVATE)' '$(SHARED)'
	$(Q)rm -f '$(ZSH_FUNCTIONS)/_perfconv' '$(MAN1)'/perfconv.1 '$(MAN1)'/perfconv-*.1 \
		$(foreach name,$(COMPLETED),'$(BIN)/$(name)' '$(BASH_COMPLETIONS)/$(name)' \
		'$(MAN1)/$(name).1')

VERSION = $(shell sed -n 's/.*PERFCONV_VERSION "\(.*\)"/\1/p' perfconv/base/version.h)
DIST = $(O)/perfconv-$(VERSION).tar.gz

# The same commit gives the same bytes.
dist: ## build/perfconv-VERSION.tar.gz of the latest commit
	@mkdir -p $(O)
	@$(call say,DIST,$(DIST))
	$(Q)git archive --format=tar --prefix=perfconv-$(VERSION)/ HEAD >$(DIST).new
	$(Q)gzip -9 -n <$(DIST).new >$(DIST)
	$(Q)rm $(DIST).new

deb: dist ## a Debian source package, and perfconv and pyframes-wheels of it, in build/deb
	$(Q)rm -rf $(O)/deb
	$(Q)mkdir -p $(O)/deb
	$(Q)cp $(DIST) $(O)/deb/perfconv_$(VERSION).orig.tar.gz
	$(Q)tar -x -z -f $(DIST) -C $(O)/deb
	$(Q)cp -r contrib/debian $(O)/deb/perfconv-$(VERSION)/debian
	$(Q)cd $(O)/deb/perfconv-$(VERSION) && env -u MAKEFLAGS -u MAKEOVERRIDES dpkg-buildpackage -us -uc -j$(JOBS)

# --- tests ------------------------------------------------------------------

LINTS := lint-layers lint-gcc lint-clang lint-pyframes lint-cppcheck lint-shell lint-format lint-man
CHECKS := check-tools check-unit check-san check-cli check-install check-golden check-fuzz \
	  check-reader check-symbols check-python check-pam-scripts check-browser check-outputs \
	  check-dlfilter check-live check-lines check-diff check-report check-unwind

TEST_ENV = O='$(abspath $(O))' PERFCONV='$(abspath $(O)/perfconv)' PYTHONDONTWRITEBYTECODE=1

# Runs each make target given, as the user who called sudo where there is one,
# and adds up; the last arguments reach every make.
run_targets = $(PYTHON) tests/check.py --make '$(MAKE_COMMAND)' --jobs '$(JOBS)' --build '$(O)' \
	$1 -- $(MAKEOVERRIDES)

.PHONY: check lint check-pam check-package check-aarch64 $(CHECKS) $(LINTS)
check: ## set up, lint, run all tests, print one line that sums up
	$(Q)scripts/setup-debian.sh build test
	$(Q)$(call run_targets,$(LINTS) $(CHECKS))

lint: ## layers, -Werror builds with gcc and clang, cppcheck, shellcheck, clang-format, man
	$(Q)$(call run_targets,$(LINTS))

# One of the programs that read our files; without cargo, or where that cannot fetch or
# build it, check-outputs goes without.  Not optimised: it takes a minute so.
INFERNO := $(O)/inferno/bin/inferno-flamegraph
$(INFERNO):
	$(Q)command -v cargo >/dev/null || exit 0; $(call say,CARGO,$@); \
	CARGO_TARGET_DIR=$(O)/inferno/target cargo install inferno --version 0.12.8 --locked --debug \
		--quiet --no-default-features --features cli --bin inferno-flamegraph \
		--root $(O)/inferno || echo 'inferno is not built, for the reason above' >&2
	$(Q)rm -rf $(O)/inferno/target

# Each suite of tests/*/run.py, with what must be there before it runs.
SUITES := check-tools check-cli check-install check-golden check-reader check-symbols check-unwind \
	  check-outputs check-dlfilter check-browser check-python check-pam-scripts check-live \
	  check-lines check-diff check-report check-pam check-package

check-tools: ## what builds, tests and measures the rest
check-cli: $(O)/perfconv ## perfconv's command line
check-install: $(O)/perfconv man ## what make install makes: programs, pages, completion; wheels
check-golden: $(O)/perfconv ## conversions of committed captures
check-reader: $(O)/perfconv perfconv-san ## captures of every mode, damaged ones, both byte orders
check-symbols: $(O)/perfconv ## names and lines of random addresses, against addr2line
check-unwind: $(O)/perfconv ## CFI in other files, signals, PLTs, stopped programs against eu-stack
check-outputs: $(O)/perfconv | $(INFERNO) ## every format against the speedscope file, and in the programs that read it
check-dlfilter: $(O)/perfconv $(DLFILTER_BUILT) ## the plugin for perf script, in the real perf
check-browser: $(O)/perfconv $(O)/node/package-lock.json ## profiles in speedscope, in headless Chromium
check-python: ## pyframes on each interpreter found
check-pam-scripts: ## the scripts around PAM, without PAM
check-live: $(O)/perfconv ## recordings made by the test; needs perf and its privilege
check-lines: $(O)/perfconv ## current lines of Python frames; needs perf and its privilege
check-diff: $(O)/perfconv ## captures of one program and of a slower twin; needs perf's privilege
check-report: $(O)/perfconv ## the report of programs with one mistake each, recorded; needs perf's privilege
check-pam: $(O)/perfconv ## the real PAM, recorded; needs perf's privilege, PAM's venv is made once
check-package: deb speedscope ## the Debian packages in a clean Debian; needs root, debootstrap, debhelper

# A suite that is not there has run no test, and that is a failure.
run_suite = test -f tests/$1/run.py || { \
		echo 'tests/$1 has no run.py, so $@ ran no test' >&2; exit 1; }; \
	$(TEST_ENV) $(PYTHON) tests/$1/run.py

$(SUITES): private SUITE = $(@:check-%=%)
check-pam-scripts: private SUITE = pam
check-pam: private SUITE = pam_live
$(SUITES):
	$(Q)$(call run_suite,$(SUITE))

check-unit: $(UNIT_BIN) ## unit tests
	$(Q)$(TEST_ENV) $(PYTHON) tests/unit/run.py $(UNIT_BIN)

# Builds in a folder of its own, with sanitizers.
sanitized = $(MAKE) O=$(O)/san LIBPERF_DIR=$(LIBPERF_DIR) SAN=address,undefined

check-san: | $(LIBPERF_BUILT) ## unit tests under ASan and UBSan
	$(Q)$(sanitized) check-unit

.PHONY: perfconv-san
perfconv-san: | $(LIBPERF_BUILT)
	$(Q)$(sanitized) perfconv

check-aarch64: ## pyframes' tests on Debian's arm64 Python under emulation; not part of check
	$(Q)$(TEST_ENV) $(PYTHON) tests/python/aarch64.py

check-fuzz: $(REPLAY_BIN) ## what fuzzing left behind, replayed
	$(Q)passed=0; for target in $(FUZZ_TARGETS); do \
		$(O)/fuzz/replay_$$target tests/fuzz/corpus/$$target/* >$(O)/fuzz/$$target.log 2>&1 || { \
			tail -20 $(O)/fuzz/$$target.log; \
			echo "$$passed passed, 1 failed, 0 skipped"; exit 1; }; \
		passed=$$((passed + $$(ls tests/fuzz/corpus/$$target | wc -l))); \
	done; echo "$$passed passed, 0 failed, 0 skipped"

.PHONY: fuzz fuzz-run
fuzz: | $(LIBPERF_BUILT) ## fuzz each target for TIME seconds; needs clang and libclang-rt-14-dev
	$(Q)$(MAKE) O=$(O)/fuzzing CC=clang LIBPERF_DIR=$(LIBPERF_DIR) TIME=$(TIME) \
		SAN=address,undefined,fuzzer-no-link CFLAGS='-O1 -g' fuzz-run

fuzz-run: $(FUZZ_BIN)
	$(Q)for target in $(FUZZ_TARGETS); do mkdir -p $(O)/fuzz/corpus/$$target; \
		$(O)/fuzz/fuzz_$$target -max_total_time=$(TIME) -timeout=5 -rss_limit_mb=1500 \
			-max_len=8192 -artifact_prefix=$(O)/fuzz/$$target- \
			$(O)/fuzz/corpus/$$target tests/fuzz/corpus/$$target || exit 1; \
	done

$(O)/node/package-lock.json: tests/browser/package.json tests/browser/package-lock.json
	@$(call say,NPM,$(@D))
	@mkdir -p $(@D)
	$(Q)cp tests/browser/package.json tests/browser/package-lock.json $(@D)
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || { \
		rm -f package-lock.json; \
		echo 'npm cannot fetch speedscope: see above, then repeat make check-browser' >&2; \
		exit 1; }

.PHONY: speedscope
speedscope: $(O)/node/package-lock.json ## fetch speedscope from npm, for perfconv view

.PHONY: fp-python
fp-python: ## CPython 3.11 with frame pointers from Debian's source package; some minutes
	$(Q)scripts/build-fp-python.sh $(O)/fp-python

# --- measuring, and the demo ------------------------------------------------

.PHONY: bench demo
BENCHES = $(or $(BENCH),$(sort $(wildcard tests/bench/*.toml)) \
	tests/bench/memory.py tests/bench/unwind.py)
bench: $(O)/perfconv ## measure, BENCH=FILE for one .toml or .py file of tests/bench
	$(Q)set -e; for program in $(filter %.py,$(BENCHES)); do \
		$(TEST_ENV) $(PYTHON) $$program; \
	done
	$(Q)$(if $(filter %.toml,$(BENCHES)),$(TEST_ENV) $(PYTHON) tests/bench/bench.py $(filter %.toml,$(BENCHES)))

.PHONY: bench-diff bench-pyframes bench-pam bench-long
bench-diff: $(O)/perfconv ## check-diff with 20 pairs of captures; some four minutes
	$(Q)$(call run_suite,diff) --pairs 20 --seconds 8

bench-pyframes: ## what pyframes, perf and py-spy cost programs, on each interpreter found
	$(Q)$(TEST_ENV) $(PYTHON) tests/bench/pyframes_cost.py

bench-pam: ## what pyframes, perf and py-spy cost the real PAM
	$(Q)$(TEST_ENV) $(PYTHON) tests/bench/pyframes_pam.py

bench-long: $(O)/perfconv $(O)/node/package-lock.json ## five minutes of PAM, opened in speedscope
	$(Q)$(TEST_ENV) $(PYTHON) tests/bench/pam_long.py

demo: ## profile the real PAM for DURATION seconds of SCENARIO, from nothing to a speedscope file
	$(Q)scripts/setup-debian.sh build demo
	$(Q)scripts/as-user.sh --give '$(O)' profiles
	$(Q)scripts/as-user.sh $(MAKE) -j$(JOBS) perfconv
	$(Q)scripts/as-user.sh $(PYTHON) scripts/install_pam.py --venv $(O)/pam/venv
	$(Q)$(PYTHON) scripts/profile_pam.py --with-services --python $(O)/pam/venv/bin/python \
		--perfconv $(O)/perfconv --scenario '$(SCENARIO)' --duration '$(DURATION)' \
		--output profiles

# --- lint -------------------------------------------------------------------

lint-layers: ## no perfconv folder includes one that stands after it
	$(Q)$(PYTHON) scripts/check-layers.py --self-test
	$(Q)$(PYTHON) scripts/check-layers.py $(LAYERS)

lint-gcc lint-clang: lint-%: | $(LIBPERF_BUILT) ## build everything with -Werror
	$(Q)$(MAKE) O=$(O)/lint/$* LIBPERF_DIR=$(LIBPERF_DIR) CC=$* WERROR=1 SAN= DEBUG= \
		perfconv build-tests $(if $(DLFILTER_BUILT),dlfilter)

# An extension's init function has no prototype.
lint-pyframes: ## compile pyframes with -Werror, gcc and clang
	$(Q)set -e; for compiler in gcc clang; do for file in pyframes/src/*.c; do \
		$$compiler -std=gnu11 -D_GNU_SOURCE -O2 -fPIC $(WARNINGS) -Werror \
			-Wno-missing-prototypes -iquote . \
			$(call as_system,$(shell $(PKG_CONFIG) --cflags python-3.11)) \
			-c -o /dev/null $$file; \
	done; done

lint-cppcheck: ## cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
		--library=python --suppress=allocaCalled --std=c11 --inline-suppr -j $(JOBS) -I . \
		-D_GNU_SOURCE -D__x86_64__ -D__linux__ -DPY_VERSION_HEX=0x030b00f0 \
		$(filter %.c,$(C_FILES))

lint-shell: ## shellcheck
	$(Q)shellcheck $(SHELL_FILES)

lint-man: man ## manual pages say what --help says, and man renders them
	$(Q)$(PYTHON) scripts/make-man.py --check $(O)/perfconv $(O)/man

lint-format: ## clang-format 14 would change nothing
	$(Q)status=0; for file in $(C_FILES); do \
		$(CLANG_FORMAT) $$file | cmp -s - $$file && continue; \
		echo "$$file: not as clang-format 14 writes it: run 'make format'"; status=1; \
	done; exit $$status

.PHONY: lint-tidy lint-analyzer
lint-tidy: | $(O)/found-libraries $(LIBPERF_BUILT) ## clang-tidy; not part of lint
	$(Q)$(CLANG_TIDY) --quiet $(LIB_SRC) perfconv/main.c -- $(ALL_CFLAGS)

lint-analyzer: | $(LIBPERF_BUILT) ## gcc -fanalyzer; not part of lint
	$(Q)$(MAKE) O=$(O)/lint/analyzer LIBPERF_DIR=$(LIBPERF_DIR) CC=gcc WERROR=1 SAN= DEBUG= \
		CFLAGS='-O1 -g -fanalyzer' perfconv

.PHONY: help
help: ## this list
	@awk -f scripts/make-help.awk Makefile
