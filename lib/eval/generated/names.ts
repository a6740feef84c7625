/** Given names in use all over the world, one word each: who flips coins, and whose letters are wanted. A list of our own. */
export const names: readonly string[] = [
  ...['Ada', 'Aiko', 'Alma', 'Amir', 'Anders', 'Anouk', 'Arjun', 'Astrid', 'Aurelio', 'Beatriz', 'Bela', 'Bruno', 'Camille', 'Carmen'],
  ...['Cedric', 'Chiara', 'Chloe', 'Cosmo', 'Dalia', 'Damian', 'Daria', 'Derek', 'Dimitri', 'Edith', 'Elif', 'Emeka', 'Enzo', 'Esther'],
  ...['Fatima', 'Felix', 'Fiona', 'Florian', 'Frida', 'Gareth', 'Gita', 'Goran', 'Greta', 'Hana', 'Harald', 'Hassan', 'Heidi', 'Hugo'],
  ...['Ibrahim', 'Ines', 'Ingrid', 'Isaac', 'Ivan', 'Jamal', 'Jasmin', 'Joaquim', 'Josef', 'Judith', 'Kavya', 'Keiko', 'Kenji', 'Klara'],
  ...['Lars', 'Leila', 'Leopold', 'Lien', 'Lorenz', 'Lucia', 'Magnus', 'Malik', 'Marek', 'Mehmet', 'Mei', 'Milan', 'Mirek', 'Naomi'],
  ...['Nadia', 'Niamh', 'Nikos', 'Noor', 'Olaf', 'Olga', 'Omar', 'Otto', 'Pablo', 'Paloma', 'Pedro', 'Petra', 'Piotr', 'Priya', 'Quentin'],
  ...['Rahel', 'Rasmus', 'Renata', 'Rohan', 'Rosalind', 'Ruben', 'Salma', 'Samuel', 'Sanjay', 'Silke', 'Simon', 'Sofia', 'Stefan', 'Sven'],
  ...['Tamar', 'Tariq', 'Thandi', 'Theo', 'Tomasz', 'Ulrich', 'Umar', 'Valentin', 'Vera', 'Viktor', 'Wanda', 'Wei', 'Wilhelm', 'Xavier'],
  ...['Yara', 'Yasin', 'Yusuf', 'Zainab', 'Zelda', 'Zoran'],
];
