package kerneltest

import "easel/engine/kernel"

func conv(usual kernel.Conv) func(goldenCase) {
	return func(c goldenCase) {
		x, w, bias, dy := c.picture("x"), c.in("weight"), c.in("bias"), c.picture("dy")
		g := c.settings(settings{Stride: usual.Stride, Padding: []int{usual.Top, usual.Left, usual.Bottom, usual.Right}}).conv(c)
		if oh, ow := g.OutSize(x.Shape[1], x.Shape[2], w.Shape[2], w.Shape[3]); oh != dy.Shape[1] || ow != dy.Shape[2] {
			c.t.Skipf("%+v gives %dx%d, not %dx%d: the file's metadata does not tell the right one", g, oh, ow, dy.Shape[1], dy.Shape[2])
		}
		y, dx, dw, dbias := shapeOf(dy), shapeOf(x), shapeOf(w), shapeOf(bias)
		c.must(c.b.Conv2D(y, x, w, bias, nil, g))
		c.must(c.b.Conv2DGradInput(dx, dy, w, g))
		c.must(c.b.Conv2DGradWeight(dw, x, dy, g))
		c.must(c.b.SumRows(dbias, dy))
		c.checkPicture("y", y)
		c.checkPicture("dx", dx)
		c.check("dweight", dw)
		c.check("dbias", dbias)
	}
}

func linear(c goldenCase) {
	x, w, dy := c.in("x"), c.in("weight"), c.in("dy")
	var bias *kernel.Tensor
	if c.f.Has(c.name + "/in/bias") {
		bias = c.in("bias")
		dbias := shapeOf(bias)
		c.must(c.b.SumRows(dbias, dy))
		c.check("dbias", dbias)
	}
	y, dx, dw := shapeOf(dy), shapeOf(x), shapeOf(w)
	c.must(c.b.Linear(y, x, w, bias, nil, 1))
	c.must(c.b.LinearGradInput(dx, dy, w, nil, 1))
	c.must(c.b.LinearGradWeight(dw, x, dy, 1))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dweight", dw)
}

func groupNorm(usual settings, silu bool) func(goldenCase) {
	return func(c goldenCase) {
		x, gamma, beta, dy := c.picture("x"), c.in("weight"), c.in("bias"), c.picture("dy")
		s := c.settings(usual)
		groups, eps := s.Groups, s.Eps
		c.divides(groups, x.Channels())
		stats := kernel.New(kernel.F32, x.Shape[0], groups, 2)
		y, dx, dgamma, dbeta := shapeOf(x), shapeOf(x), shapeOf(gamma), shapeOf(beta)
		c.must(c.b.GroupNormStats(stats, x, groups, eps))
		c.must(c.b.GroupNorm(y, x, stats, gamma, beta, groups, silu))
		c.must(c.b.GroupNormGradInput(dx, x, stats, gamma, beta, dy, groups, silu))
		c.must(c.b.GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy, groups, silu))
		c.checkPicture("y", y)
		c.checkPicture("dx", dx)
		c.check("dweight", dgamma)
		c.check("dbias", dbeta)
	}
}

func layerNorm(c goldenCase) {
	eps := c.settings(settings{Eps: 1e-5}).Eps
	x, gamma, beta, dy := c.in("x"), c.in("weight"), c.in("bias"), c.in("dy")
	y, dx, dgamma, dbeta := shapeOf(x), shapeOf(x), shapeOf(gamma), shapeOf(beta)
	c.must(c.b.LayerNorm(y, x, gamma, beta, eps))
	c.must(c.b.LayerNormGradInput(dx, x, gamma, dy, eps))
	c.must(c.b.LayerNormGradParams(dgamma, dbeta, x, dy, eps))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dweight", dgamma)
	c.check("dbias", dbeta)
}

func activate(f kernel.Activation) func(goldenCase) {
	return func(c goldenCase) {
		x, dy := c.in("x"), c.in("dy")
		y, dx := shapeOf(x), shapeOf(x)
		c.must(c.b.Activate(y, x, f))
		c.must(c.b.ActivateGrad(dx, x, dy, f))
		c.check("y", y)
		c.check("dx", dx)
	}
}

func geglu(c goldenCase) {
	x, dy := c.in("x"), c.in("dy")
	y, dx := shapeOf(dy), shapeOf(x)
	c.must(c.b.GEGLU(y, x))
	c.must(c.b.GEGLUGrad(dx, x, dy))
	c.check("y", y)
	c.check("dx", dx)
}

func softmax(c goldenCase) {
	x, dy := c.in("x"), c.in("dy")
	y, dx := shapeOf(x), shapeOf(x)
	c.must(c.b.Softmax(y, x))
	c.must(c.b.SoftmaxGrad(dx, y, dy))
	c.check("y", y)
	c.check("dx", dx)
}

func attention(usual settings, causal bool) func(goldenCase) {
	return func(c goldenCase) {
		q, k, v, dy := c.in("q"), c.in("k"), c.in("v"), c.in("dy")
		heads := c.settings(usual).Heads
		c.divides(heads, q.Channels())
		o, dq, dk, dv := shapeOf(q), shapeOf(q), shapeOf(k), shapeOf(v)
		lse := kernel.New(kernel.F32, q.Shape[0], heads, q.Shape[1])
		c.must(c.b.Attention(o, lse, q, k, v, heads, causal))
		c.must(c.b.AttentionGrad(dq, dk, dv, q, k, v, o, lse, dy, heads, causal))
		c.check("y", o)
		c.check("dq", dq)
		c.check("dk", dk)
		c.check("dv", dv)
	}
}

func upsample(c goldenCase) {
	x, dy := c.picture("x"), c.picture("dy")
	y, dx := shapeOf(dy), shapeOf(x)
	c.must(c.b.UpsampleNearest(y, x))
	c.must(c.b.UpsampleNearestGrad(dx, dy))
	c.checkPicture("y", y)
	c.checkPicture("dx", dx)
}

func concat(c goldenCase) {
	a, b, dy := c.picture("a"), c.picture("b"), c.picture("dy")
	y, da, db := shapeOf(dy), shapeOf(a), shapeOf(b)
	c.must(c.b.Concat(y, a, b))
	c.must(c.b.SliceChannels(da, dy, 0))
	c.must(c.b.SliceChannels(db, dy, a.Channels()))
	c.checkPicture("y", y)
	c.checkPicture("da", da)
	c.checkPicture("db", db)
}

func embedding(c goldenCase) {
	table, dy := c.in("weight"), c.in("dy")
	ids := c.in("ids")
	indices := kernel.New(kernel.I32, ids.Shape...)
	indices.WriteF32(ids.F32())
	y, dtable := shapeOf(dy), shapeOf(table)
	c.must(c.b.Embedding(y, indices, table, 0))
	c.must(c.b.EmbeddingGrad(dtable, indices, dy, 0))
	c.check("y", y)
	c.check("dweight", dtable)
}

func mse(c goldenCase) {
	x, target, dy := c.in("x"), c.in("target"), c.in("dy")
	y, dx, dtarget := shapeOf(dy), shapeOf(x), shapeOf(target)
	c.must(c.b.Loss(y, x, target, nil, nil, kernel.MSE))
	c.must(c.b.LossGrad(dx, x, target, nil, nil, kernel.MSE))
	c.must(c.b.Scale(dx, dx, dy.F32()[0]))
	c.must(c.b.Scale(dtarget, dx, -1))
	c.check("y", y)
	c.check("dx", dx)
	c.check("dtarget", dtarget)
}

func timestep(c goldenCase) {
	y := shapeOf(c.f.Tensor(c.name + "/y"))
	c.must(c.b.TimestepEmbedding(y, c.in("t")))
	c.check("y", y)
}
