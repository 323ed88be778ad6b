# make demo    learn the sample subject with the built-in model: in the window where there is a screen, else in the terminal.
#              demo-window and demo-terminal choose; the terminal's builds fast, for want of Fyne
# make build   ./easel with its window (the first build of Fyne takes minutes)
# make run     build and open the window
# make test    everything that must pass
# make fuzz    each fuzz target for half a minute, two side by side
# make lint    vet and staticcheck
# make screens  draw pages of the window into docs/screens, to look at
# make screens-all  draw all of them, light and dark, small and large, with large text, into build/screens
# make package  build/easel-VERSION-linux-amd64.tar.xz, to give to others
# make clean   remove what make built; out/ with your results stays
#
# What Debian or Ubuntu lack for it is installed when you are root or sudo asks nothing; else the command is printed.

PACKAGES     := gcc libc6-dev libdnnl-dev
PACKAGES_GUI := pkg-config libgl1-mesa-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev libxkbcommon-dev

# What the test needs that uses the window as a person does, on a screen in memory.
PACKAGES_WINDOW := xvfb xdotool imagemagick python3-gi gir1.2-gtk-3.0 libgl1-mesa-dri

CLI         := build/easel-cli
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# The packages with goroutines of their own. gui needs no C here, so Fyne's OpenGL part is not built again for this. The detector slows programs tenfold: tests of time (-short) have no place there.
RACE        := engine/local engine/store engine/dataset gui/...
# Tests read the window in English.
GOTEST      := LC_ALL= LANG=en_US.UTF-8 go test -timeout 30m
FUZZTIME    := 30s

# OpenMP's threads wait actively for long: on a machine that does other things too that slows everything.
export GOMP_SPINCOUNT ?= 10000

.PHONY: screens screens-all demo demo-terminal demo-window build run package test fuzz lint clean deps deps-gui deps-window cli staticcheck go-version

demo: $(if $(DISPLAY)$(WAYLAND_DISPLAY),demo-window,demo-terminal)

demo-terminal: cli
	$(CLI) train --method lora --model builtin --images samples/zorbit --word zorbit --class "monster toy" --rank 8 \
		--out out/zorbit --seed 1

# The project that demo-terminal made, or a new one that waits for a press of Start.
demo-window: build
	@test -e out/zorbit || { mkdir -p out && cp -R samples/demo out/zorbit && cp -R samples/zorbit out/zorbit/images; }
	./easel out/zorbit || { echo "Without a window: make demo-terminal" >&2; false; }

cli: deps go-version
	go build -tags headless -o $(CLI) .

# migrated_fynedo: Fyne leaves out its checks of threads, which the tests keep.
build: deps deps-gui go-version
	go build -tags migrated_fynedo -o easel .

run: build
	./easel

package: deps deps-gui go-version
	packaging/linux

# go test comes last, so that its own lines end the output.
test: lint deps-window
	CGO_ENABLED=0 $(GOTEST) ./...
	$(GOTEST) -race -short $(addprefix ./,$(RACE))
	@$(MAKE) --no-print-directory fuzz
	$(GOTEST) ./...

fuzz: go-version
	@.ci/fuzz $(FUZZTIME)

screens: go-version
	mkdir -p docs/screens
	EASEL_SCREENS="$(CURDIR)/docs/screens" CGO_ENABLED=0 $(GOTEST) -count=1 -run TestScreens ./gui

screens-all: go-version
	mkdir -p build/screens
	EASEL_ALL_SCREENS=1 EASEL_SCREENS="$(CURDIR)/build/screens" CGO_ENABLED=0 $(GOTEST) -count=1 -run TestScreens ./gui

lint: deps deps-gui go-version
	go vet ./...
	go vet -tags headless .
	CGO_ENABLED=0 go vet ./...
	@$(MAKE) --no-print-directory staticcheck

staticcheck:
	GOBIN="$(CURDIR)/build" go install $(STATICCHECK)
	build/staticcheck ./...

# A Go from 1.21 on fetches the version that go.mod names; an older one fails with a riddle.
go-version:
	@go version >/dev/null 2>&1 || { echo "Go is missing: install it from https://go.dev/dl" >&2; exit 1; }
	@case "$$(go env GOVERSION)" in go1.[0-9].*|go1.1[0-9]*|go1.20*) \
		echo "Go $$(go env GOVERSION) is too old: install 1.21 or newer from https://go.dev/dl" >&2; exit 1;; esac

deps:
	@.ci/packages $(PACKAGES)

deps-gui:
	@.ci/packages $(PACKAGES_GUI)

deps-window:
	@.ci/packages $(PACKAGES_WINDOW)

clean:
	rm -rf build easel
