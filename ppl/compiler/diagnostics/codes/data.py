"""E7 and W7: data. No program text alone can give these."""

from ppl.compiler.diagnostics.codes.explanation import Explanation

EXPLANATIONS = (
    Explanation(
        "E701",
        "a data file cannot be read",
        "The path is missing, a directory, a FIFO or other special file, or may not be read. The message gives the "
        "path and the system's reason. Only plain files are read.",
    ),
    Explanation(
        "E702",
        "a data file is not what its suffix says",
        "`.json` holds one object with a key per name; `.csv` and `.tsv` a row of names, then rows of as many cells; "
        "`.parquet`, `.npz` and `.nc` their formats. Text is UTF-8.",
    ),
    Explanation(
        "E703",
        "a name is given twice",
        "A key of a JSON object, a column of a table, or two files give the same name: which one counts would be a "
        "guess. `--data name=value` may override a file.",
    ),
    Explanation(
        "E704",
        "a parameter is not given",
        "Every parameter of a model without a default needs a value from the data. `ppl info FILE` lists them.",
    ),
    Explanation(
        "E705",
        "text where a number is needed",
        "Numbers are written in decimal with a point: `1.5`, `-2`, `3e-4`. A decimal comma, `0x10`, `True` or a "
        "quoted number in JSON is not read as a number. `NaN`, `Inf` and `-Inf` may be quoted, as CmdStan writes them.",
    ),
    Explanation(
        "E706",
        "a number is too large",
        "Reals are 64-bit floats (up to about 1.8e308) and integers have 64 bits. An overflow is not silently "
        "read as infinity; write `Infinity` where infinity is meant.",
    ),
    Explanation(
        "E707",
        "a number would lose digits",
        "Densities compute with 64-bit floats, which hold integers exactly only up to 2^53. A larger integer that "
        "would be rounded is refused: subtract an offset or rescale.",
    ),
    Explanation(
        "E708",
        "a value of another type",
        "For instance 2.5 where an `int` is needed (3.0 is accepted), `true` for a number, or an object for an array. "
        "For `bool` both true/false and 1/0 are accepted.",
    ),
    Explanation(
        "E709",
        "an array of another shape",
        "Arrays are nested lists in row-major order, all rows of equal length, with as many axes as the type says.",
    ),
    Explanation(
        "E710",
        "sizes disagree",
        "Each size variable of the model is found from the shapes of the data; two arrays that share it must agree. "
        "The message names both places.",
    ),
    Explanation(
        "E711",
        "data outside the support of their distribution",
        "A value that the distribution of the `data` statement can never produce (2.5 under a Poisson, -1 under a "
        "Gamma) has density zero, so the posterior would not exist.",
    ),
    Explanation(
        "E712",
        "an index out of range",
        "An `index<K>` is in `0..K`: indices start at 0. Data written for a language that counts from 1 need 1 "
        "subtracted.",
    ),
    Explanation(
        "E713",
        "a value that breaks the constraint of its type",
        "For instance a negative number for `pos`, probabilities that do not sum to 1 for a `simplex`, or a matrix "
        "that is not symmetric and positive definite for `cov`.",
    ),
    Explanation(
        "E714",
        "a missing entry",
        "`null` and `NaN` stand for missing entries, which only a declaration with `?` allows: `data y[i]: real? ~ …`. "
        "Missing entries then become latent.",
    ),
    Explanation(
        "E715",
        "a dtype that holds no real numbers",
        "Complex numbers with imaginary parts, dates and structures are not converted. Half precision, the other byte "
        "order, bools and complex numbers with zero imaginary parts are, with a note.",
    ),
    Explanation(
        "E716",
        "a category that is not declared",
        'Text for an `index<K>` needs its categories in order: a key `"name.levels": ["a", "b"]` beside `name` (a '
        "pandas or Parquet categorical brings its own). Text that is not among them is an error.",
    ),
    Explanation(
        "E717",
        "a size that the data do not determine",
        "No array that was given has this size. Give an array that has it, or the size itself: `--data N=10`.",
    ),
    Explanation(
        "E718",
        "a relation between sizes does not hold",
        "The compiler could not prove that two sizes are equal, so it is checked when data are loaded.",
    ),
    Explanation(
        "W701",
        "a name in the data that the model does not use",
        "Often a misspelt name; the data site it was meant for is then drawn instead of conditioned on.",
    ),
)
