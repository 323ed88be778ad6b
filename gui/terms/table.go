package terms

import "fyne.io/fyne/v2/lang"

// All are the terms, in the order in which one meets them.
func All() []Term {
	return []Term{
		// Pictures and words.
		{[]string{lang.L("Caption")}, lang.L("What a picture shows, in words. It is the prompt with which the picture is trained.")},
		{[]string{lang.L("Token"), lang.L("Tokens")}, lang.L("A word or a part of one, as the model reads it. It reads 75 of a prompt, and two marks at the ends.")},
		{[]string{lang.L("Prompt"), lang.L("Their prompt")}, lang.L("The words that say what shall be painted.")},
		{[]string{lang.L("Negative prompt")}, lang.L("Words for what shall not be in the picture.")},
		{[]string{lang.L("Trigger"), lang.L("Its word")}, lang.L("The word that calls your subject in a prompt. One that means nothing yet is best: the model need not unlearn anything for it.")},
		{[]string{lang.L("Class noun"), lang.L("What kind")}, lang.L("What your subject is, in words that the model knows. It begins from there, so that less is left to learn.")},
		{[]string{lang.L("Bucket")}, lang.L("A size at which pictures are trained. Each picture goes to the one closest to its shape, so that little is cut off.")},
		{[]string{lang.L("Mask"), lang.L("Masked")}, lang.L("A second picture that says where the first is to be learned: where it is white.")},
		{[]string{lang.L("Resolution")}, lang.L("The width and height of a square picture that is trained, in pixels. Others have about the same area.")},

		// The model.
		{[]string{lang.L("Base model")}, lang.L("The model that is taught. What comes out is a change of it, and works with models that descend from the same.")},
		{[]string{lang.L("Text encoder")}, lang.L("The part of the model that turns a prompt into numbers.")},
		{[]string{lang.L("VAE")}, lang.L("The part of the model that turns pictures into latents, and latents into pictures.")},
		{[]string{lang.L("Latent")}, lang.L("A picture as the model sees it: smaller, and in numbers that are no colours. Noise is added to latents.")},
		{[]string{lang.L("U-Net"), lang.L("UNet")}, lang.L("The part of the model that paints: it is shown noise and a prompt, and guesses what is noise. It holds most of the model's numbers.")},
		{[]string{lang.L("Noise")}, lang.L("Random numbers that are added to a picture. A model learns to tell them from the picture, and paints by taking them away.")},
		{[]string{lang.L("Timestep"), lang.L("Timesteps"), lang.L("Timestep bias"), lang.L("First timestep"), lang.L("Last timestep")}, lang.L("How much noise is in a picture, from 0, almost none, to 1000, nothing else. A training step draws one by chance; painting goes down through them.")},
		{[]string{lang.L("Epsilon"), lang.L("Prediction")}, lang.L("What the model guesses: epsilon, the noise itself, or v, a mixture of noise and picture. A model can do one of them only, and its files tell which.")},

		// The methods.
		{[]string{lang.L("LoRA")}, lang.L("Low-rank adaptation: small layers are put beside the model's own and trained. The file holds only these.")},
		{[]string{lang.L("DreamBooth")}, lang.L("The model's own weights are trained, and pictures of the class are trained beside yours so that it is not forgotten.")},
		{[]string{lang.L("Textual Inversion")}, lang.L("A new word is looked for, in numbers, that calls your subject. The model does not change.")},
		{[]string{lang.L("Pivotal tuning"), lang.L("LoRA with a new word")}, lang.L("A new word and a LoRA are trained together, so that each has less to learn.")},
		{[]string{lang.L("Hypernetwork")}, lang.L("A small second network makes the change of the model, or changes what it makes of the prompt.")},
		{[]string{lang.L("Embedding"), lang.L("Vectors"), lang.L("Init")}, lang.L("The numbers that a word becomes: a vector for each of its tokens.")},
		{[]string{lang.L("Rank"), lang.L("Conv rank"), lang.L("Block ranks"), lang.L("Lora rank")}, lang.L("How wide the inserted layers are. A higher rank can hold more detail, makes a larger file, and learns pictures by heart sooner.")},
		{[]string{lang.L("Alpha"), lang.L("Conv alpha"), lang.L("Rs lora")}, lang.L("How strongly inserted layers count: alpha divided by rank. With alpha as large as the rank they count fully.")},
		{[]string{lang.L("LoRA+"), lang.L("Lora plus")}, lang.L("An inserted layer is two matrices, down and up. LoRA+ lets the second learn faster.")},
		{[]string{lang.L("DoRA")}, lang.L("LoRA that trains how large a layer's output is apart from where it points. It comes closer to training the whole model.")},
		{[]string{lang.L("Targets"), lang.L("Train")}, lang.L("Which of the model's layers are trained, or get layers beside them.")},
		{[]string{lang.L("Dropout"), lang.L("Rank dropout"), lang.L("Module dropout"), lang.L("Caption dropout")}, lang.L("Leaving a part out by chance in each step, so that nothing is learned that hangs on one detail.")},
		{[]string{lang.L("Norm"), lang.L("Keep norm"), lang.L("Max norm"), lang.L("Layer norm")}, lang.L("The size of many numbers taken together. Bounding it keeps a change from running away.")},
		{[]string{lang.L("Activation"), lang.L("Kind"), lang.L("Structure"), lang.L("Hidden"), lang.L("Bias"), lang.L("Basis"), lang.L("Widths")}, lang.L("How the hypernetwork is built. What Easel suggests is what its authors used.")},

		// Training.
		{[]string{lang.L("Step"), lang.L("Steps")}, lang.L("One change of what is trained: some pictures get noise, the model guesses it, and is changed a little so that the guess gets better.")},
		{[]string{lang.L("Learning rate"), lang.L("Text rate"), lang.L("Word rate")}, lang.L("How far each step goes. Too low learns nothing; too high, and pictures fall apart. Half or double is a usual change.")},
		{[]string{lang.L("Batch"), lang.L("Accumulate")}, lang.L("The pictures that one step looks at. More give a steadier direction, and take more time; accumulating them saves memory.")},
		{[]string{lang.L("Gradient"), lang.L("Largest gradient")}, lang.L("The direction in which each trained number must change for a smaller loss.")},
		{[]string{lang.L("Optimizer")}, lang.L("The rule by which a step follows from the gradients. AdamW suits all methods; adamw8bit and adafactor take less memory; prodigy finds the learning rate itself.")},
		{[]string{lang.L("Schedule"), lang.L("Warm-up"), lang.L("Cycles"), lang.L("Power")}, lang.L("How the learning rate changes over the steps: most rise at first (the warm-up) and fall towards the end, so that the last steps are fine ones.")},
		{[]string{lang.L("EMA"), lang.L("Average")}, lang.L("An average of the trained values over the last steps. It is calmer than the values of any one step.")},
		{[]string{lang.L("Loss")}, lang.L("How wrong the model's guesses are. It jumps from step to step, as some noise is harder than other; look at the smooth line, and more at the pictures.")},
		{[]string{lang.L("Huber's limit"), lang.L("Huber's schedule"), lang.L("Huber")}, lang.L("A loss that counts large errors less, so that odd pictures among yours do less harm.")},
		{[]string{lang.L("SNR")}, lang.L("Signal-to-noise ratio: how much picture there is for each part of noise.")},
		{[]string{lang.L("Min-SNR"), lang.L("Debiased")}, lang.L("A weighting of the steps. Steps with little noise are easy and many; with it they do not outweigh those that shape the picture.")},
		{[]string{lang.L("Offset noise"), lang.L("Pyramid noise"), lang.L("Perturbation")}, lang.L("Noise of another kind than usual. Offset and pyramid noise let the model learn very dark and very bright pictures; perturbation makes it less sure of itself.")},
		{[]string{lang.L("Prior preservation"), lang.L("Class pictures"), lang.L("Their number"), lang.L("Their folder")}, lang.L("Pictures of the class, such as any dog, are trained beside yours, so that not every dog becomes yours.")},
		{[]string{lang.L("Drift"), lang.L("Preserve")}, lang.L("How far pictures of other prompts moved although they were not to. Preserving keeps them where they were.")},
		{[]string{lang.L("Likeness")}, lang.L("How much pictures look like yours to the untrained model: 0 is any picture of the class.")},
		{[]string{lang.L("Overfitting"), lang.L("Held out")}, lang.L("Learning the pictures by heart instead of the subject. Pictures that are held out, and so not trained on, tell: when their loss rises, it is time to stop.")},
		{[]string{lang.L("Weight change")}, lang.L("How large the change is beside the model's own weights. Where it stays at 0, nothing is learned.")},
		{[]string{lang.L("Checkpoint")}, lang.L("What is trained so far, as a file from which a run goes on; also a whole model in one file.")},

		// Painting.
		{[]string{lang.L("Sampler"), lang.L("Sampling steps")}, lang.L("The rule by which a picture is painted out of noise, step by step. With 20 to 30 steps all of them are good; fewer are faster and coarser.")},
		{[]string{lang.L("CFG"), lang.L("Guidance"), lang.L("Guidance (CFG)")}, lang.L("Classifier-free guidance: how strictly a picture follows its prompt. 1 hardly, 7 well, 15 too much.")},
		{[]string{lang.L("Seed")}, lang.L("The number from which all chance is drawn. The same seed and settings give the same picture, and the same training.")},
		{[]string{lang.L("Strength"), lang.L("Weight of your file")}, lang.L("How much of the trained change is used: 0 is the base model, 1 all of it.")},

		// The computer.
		{[]string{lang.L("Precision"), lang.L("File precision")}, lang.L("How many bits a number has: 32 (f32) or 16 (f16, bf16). 16 halve the memory, and lose nothing that one sees.")},
		{[]string{lang.L("Threads"), lang.L("Computes with")}, lang.L("How many of the processor's cores compute at once, and the library by which they do.")},
		{[]string{lang.L("Safetensors")}, lang.L("The form of file in which models are passed on. It holds numbers only, so that it cannot do harm.")},
	}
}
