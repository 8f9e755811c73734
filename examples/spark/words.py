"""words.py FILE: how often each word of a text stands in it, counted by Spark; the commonest are printed and published."""

import os
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("words").getOrCreate()
words = spark.sparkContext.textFile(sys.argv[1]).flatMap(lambda line: line.lower().split())
counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect()
for word, count in sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:5]:
    print(count, word)
with open(os.environ["REPRISE_OUTPUT"], "a") as out:
    print(f"words={sum(count for _, count in counts)}", file=out)
spark.stop()
