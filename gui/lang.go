package gui

import (
	"embed"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"easel/gui/speech"
)

//go:embed translations
var translations embed.FS

// addTranslations has Fyne speak the system's language where Easel does.
var addTranslations = sync.OnceFunc(func() {
	if err := lang.AddTranslationsFS(translations, "translations"); err != nil {
		fyne.LogError("translations", err)
	}
	texts := map[string]any{}
	data, err := translations.ReadFile("translations/easel.de.json") // every language has the same
	if err == nil {
		err = json.Unmarshal(data, &texts)
	}
	if err != nil {
		fyne.LogError("translations", err)
	}
	speech.Know(slices.Collect(maps.Keys(texts)))
})
