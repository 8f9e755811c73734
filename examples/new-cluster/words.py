"""words.py FILE: how often each word of a text stands in it, counted on all workers; the commonest are printed."""

import os
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("words").getOrCreate()
context = spark.sparkContext
lines = context.textFile(sys.argv[1], minPartitions=4)
counts = lines.flatMap(lambda line: line.lower().split()).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect()
for word, count in sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:5]:
    print(count, word)
with open(os.environ["REPRISE_OUTPUT"], "a") as out:
    print(f"words={sum(count for _, count in counts)}", file=out)
    print(f"workers={context._jsc.sc().getExecutorMemoryStatus().size() - 1}", file=out)  # less the driver
spark.stop()
