// Package store keeps a project: a folder that a person can read.
//
//	easel.toml                      marks the project and lists the files that Easel exported into it
//	job.toml                        the job of the next run, as it is set up (Draft)
//	zorbit.safetensors              an exported file; its ending is that of its form
//	class/a-photo-of-a-dog-1a2b/    class pictures that the model rendered of itself, their settings in a .toml beside
//	runs/2026-11-23T21-56-30Z/      one training run, named by its start (UTC)
//	    run.toml                    the job, every default filled in
//	    events.jsonl                the journal: one engine.Event a line, only ever appended to
//	    grid.png                    the before/after grid
//	    samples/step-000100/01.png  the grid's pictures
//	    checkpoints/step-000100.safetensors, of older steps step-000100.values.safetensors
//
// One process at a time writes to a project (Create, Resume); any number may read it meanwhile (Open). The journal
// holds paths relative to the project, so that the folder may be moved.
package store
