# SPDX-License-Identifier: GPL-2.0
"""Building blocks of profile_pam.py, monitor_pam.py and install_pam.py.

Python standard library only, so that this folder and profile_pam.py can be
copied into PAM's own tools/profiling/ and run there.

    messages     errors and progress as a person reads them
    user         who asked for this run: the user behind sudo
    process      children that never outlive us, and stop signals
    target       the Python that runs PAM: versions, petals, pyframes
    question     what that Python is asked, in itself
    preflight    what must be true before anything is started
    services     redis, MQTT broker, side-service stand-in, vehicle
    app          PAM itself: start, health, stop
    launch       the PAM that a run starts, with its services
    find_pam     a PAM that runs: who listens on its port
    attach       the PAM that runs already, recorded and left as it was
    unit         the PAM that systemd runs
    drive        the scenario's work, posted to PAM while it is recorded
    permission   how perf may be run here
    settings     what is recorded, as options of perf
    capture_size how large a recording may get
    recorder     perf record, held back until PAM is healthy
    progress     how far a recording is
    board        what the board says: model, governor, temperature
    capture      side files, metadata, conversion, what is kept
    usage        CPU and memory of a process, by thread
    usage_log    the same over a recording, for the report
    picture      their picture, as SVG
    view         opens a profile in a viewer
    run          one profile, from the checks to the file
"""
